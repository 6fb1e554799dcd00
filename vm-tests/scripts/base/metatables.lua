-- expect: nil	true
-- expect: true	true
-- expect: false	bad argument #1 to 'setmetatable' (table expected, got number)
-- expect: false	bad argument #2 to 'setmetatable' (nil or table expected)
-- expect: false	bad argument #2 to 'setmetatable' (nil or table expected)
-- expect: false	bad argument #1 to 'getmetatable' (value expected)
-- expect: private	false	cannot change a protected metatable
-- expect: nil	nil	nil
local t = {}
print(getmetatable(t), setmetatable(t, nil) == t)
local mt = {}
print(setmetatable(t, mt) == t, getmetatable(t) == mt)
print(pcall(setmetatable, 1, {}))
print(pcall(setmetatable, {}))
print(pcall(setmetatable, {}, 1))
print(pcall(getmetatable))
mt.__metatable = "private"
print(getmetatable(t), pcall(setmetatable, t, nil))
print(getmetatable(1), getmetatable(nil), getmetatable(print))
