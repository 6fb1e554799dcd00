-- A metamethod that blames its caller names the line of the operation, whatever is on the lines around it.
-- expect: false	level-2-in-metamethods.lua:23: no field name
-- expect: false	level-2-in-metamethods.lua:28: read-only size
-- expect: false	level-2-in-metamethods.lua:32: no field name
-- expect: false	level-2-in-metamethods.lua:36: no field f
-- expect: false	level-2-in-metamethods.lua:43: bad sum
-- expect: false	level-2-in-metamethods.lua:49: no length
-- expect: false	level-2-in-metamethods.lua:54: read-only method
-- expect: false	level-2-in-metamethods.lua:60: read-only x
-- expect-error: level-2-in-metamethods.lua:65: no field missing
local strict = {}
local methods = {
    __index = function(_, key) error("no field " .. key, 2) end,
    __newindex = function(_, key) error("read-only " .. key, 2) end,
    __add = function() error("bad sum", 2) end,
    __unm = function() error("no length", 2) end,
}
setmetatable(strict, methods)
local function id(...) return ... end
print(pcall(function()
    local other = {}
    other.size = 1
    local name = strict.name
    return name
end))
print(pcall(function()
    local other = { size = id(1) }
    strict.size = 5
    return other.size
end))
print(pcall(function()
    return strict.name
end))
print(pcall(function()
    local a = id(1)
    local f = strict.f(a)
    return f
end))
print(pcall(function(t)
    local a = t.a or 1
    local b = id(a) + 1
    id(b)
    local c = strict + b
    id(c)
end, {}))
print(pcall(function(t)
    local a = -t.a
    id(a)
    local b = -strict
    return a + b
end, { a = 1 }))
print(pcall(function()
    local a = id(1)
    function strict.method() end
    return a
end))
print(pcall(function()
    for i = 1, 3 do
        id(i)
        strict.x = i
    end
end))
local object = setmetatable({}, methods)
local a = id(object)
local b = id(a) == strict or a.missing
print(b)
