-- expect: false	level-2-in-strict-globals.lua:16: no variable a
-- expect: false	level-2-in-strict-globals.lua:20: no variable b
-- expect: false	level-2-in-strict-globals.lua:24: no variable f
-- expect: false	level-2-in-strict-globals.lua:30: no variable g
-- expect: false	level-2-in-strict-globals.lua:36: no variable h
-- expect: 5
-- expect: false	level-2-in-strict-globals.lua:45: no variable t
-- expect-error: level-2-in-strict-globals.lua:48: no variable missing
setmetatable(_G, {
    __newindex = function(_, name) error("no variable " .. name, 2) end,
    __index = function(_, name) error("no variable " .. name, 2) end,
})
local function id(...) return ... end
print(pcall(function()
    local x = 1
    a = 1
end))
print(pcall(function()
    local x = 1
    return b
end))
print(pcall(function()
    local x = id(1)
    x = f(x)
    return x
end))
print(pcall(function()
    id(1)
    id(2)
    function g() end
    id(3)
end))
print(pcall(function()
    for i = 1, 2 do
        id(i)
        local x = i + h
        id(x)
    end
end))
rawset(_G, "c", 5)
print(c)
print(pcall(function()
    local x = c
    id(x)
    t.x = 1
    id(x)
end))
print(missing)
