-- expect: 1	2
-- expect: 2	3	3
-- expect: old
-- expect: new
-- expect: first	7
-- expect: second	7
-- expect: 1	1	10
-- What stands before a call in a return is computed before it.
local x = 1
local function change() x = x + 1 return x end
local function pair() return x, change() end
print(pair())
local function triple() return x, change(), x end
print(triple())
local f = function() return "old" end
local function replace() f = function() return "new" end return 5 end
local function call() return f(replace()) end
print(call())
print(call())
local o = {name = "first"}
function o:get(v) return self.name, v end
local other = {name = "second", get = o.get}
local function swap() o = other return 7 end
local function method() return o:get(swap()) end
print(method())
print(method())
local t = {v = 1}
local function bump() t = {v = 10} return 1 end
local function fields() return t.v, bump(), t.v end
print(fields())
