-- expect: false	calls-told-apart.lua:13: attempt to call a number value (upvalue 'count')
-- expect: false	calls-told-apart.lua:18: attempt to call a string value (local 'text')
-- expect: false	calls-told-apart.lua:23: attempt to call a table value (local 'list')
-- expect: false	calls-told-apart.lua:27: attempt to call a nil value (global 'undefined')
-- expect: false	calls-told-apart.lua:30: attempt to call a nil value (field 'items')
-- expect: false	calls-told-apart.lua:33: attempt to call a nil value (global 'unknown')
-- expect-error: calls-told-apart.lua:36: attempt to index a nil value (field 'missing')
local count = 5
local class = setmetatable({}, {})
local function id(...) return ... end
print(pcall(function()
    local first = id(1)
    return count(first)
end))
local function outer()
    local text = "text"
    id(text)
    return text()
end
print(pcall(function() local x = outer() return x end))
local function other()
    local list = {}
    return list(1)
end
print(pcall(function() local x = other() return x end))
print(pcall(function()
    for key in pairs(id(undefined())) do print(key) end
end))
print(pcall(function()
    for key in pairs(class.items()) do print(key) end
end))
print(pcall(function()
    assert(tostring(print(pcall(unknown() or error(1)))))
end))
local total = 0
for _, value in pairs(class.missing.list) do total = total + value end
