-- Of several calls in a statement, the one of the function that blames its caller is meant.
-- expect: false	line-of-call-by-name.lua:21: bad
-- expect: false	line-of-call-by-name.lua:27: bad
-- expect: false	line-of-call-by-name.lua:34: no method
-- expect: false	line-of-call-by-name.lua:40: not ordered
-- expect: false	line-of-call-by-name.lua:47: not joined
-- expect: false	line-of-call-by-name.lua:53: not callable
-- expect: false	line-of-call-by-name.lua:58: attempt to call a table value
local function id(...) return ... end
local function check(x) if not x then error("bad", 2) end return x end
local object = { list = {} }
function object.list:method() error("no method", 2) end
local strict = setmetatable({}, {
    __lt = function() error("not ordered", 2) end,
    __call = function() error("not callable", 2) end,
    __concat = function() error("not joined", 2) end,
})
print(pcall(function()
    local x = id(
        1,
        check())
    return x
end))
print(pcall(function()
    id({
        a = id(1),
        b = check(nil),
        c = id(2),
    })
end))
print(pcall(function()
    local x = {
        check(1),
        object.list:method(),
    }
    return x
end))
print(pcall(function()
    local x = id(1) and
        strict <= strict
    return x
end))
print(pcall(function()
    local x = {
        id(1),
        check(2),
        strict .. "x",
    }
    return x
end))
print(pcall(function()
    local x = id(1) and
        strict()
    return x
end))
print(pcall(function()
    return id(1) and
        ({})()
end))
