-- `_ENV` means something in later versions of Lua, and nothing in 5.1.
-- expect: nil	nil
-- expect: false	env-is-a-name.lua:18: attempt to index a nil value (global '_ENV')
-- expect: 1	1	1
-- expect: nil	env
-- expect: 7	3
-- expect: nil	5
-- expect: called	nested	nil
-- expect: 12	12
-- expect: local	parameter
-- expect: 2	9
-- expect: true	nil
-- expect: first	2
-- expect: done	nil
-- expect: label
-- expect: false	env-is-a-name.lua:53: attempt to call a nil value (local '_ENV')
print(_ENV, rawget(_G, "_ENV"))
print(pcall(function() return _ENV.print end))
_ENV = 1
print(_ENV, _G._ENV, rawget(_G, "_ENV"))
_ENV = nil
local t = { _ENV = "env" }
print(_ENV, t._ENV)
_ENV, t.x = 7, 3
print(_ENV, t.x)
x, _ENV = 5
print(_ENV, x)
function _ENV() return "called" end
local called = _ENV()
_ENV = {}
function _ENV.nested() return "nested" end
function _ENV:method() return self end
print(called, _ENV.nested(), _ENV:method() ~= _ENV and "" or nil)
_ENV = 10
_ENV = _ENV + 2
print(_ENV, ((_ENV)))
do
    local _ENV = "local"
    local function f(_ENV) return _ENV end
    print(_ENV, f("parameter"))
end
local keep = { 9 }
local _ENV = { 2 }
local function upvalue() return _ENV[1] end
print(upvalue(), keep[1])
local function none() local _ENV = nil return print ~= nil, _ENV end
print(none())
for _ENV, value in pairs({ first = 2 }) do print(_ENV, value) end
for _ENV = 1, 1 do _ENV = nil end
print("done", (function() local _ENV return _ENV end)())
do print("label") end
_ENV = nil
print(pcall(function() local _ENV = nil; _ENV() end))
