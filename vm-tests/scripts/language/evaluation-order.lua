-- expect: x	y
-- expect: k v 1 2 3 a b c x y
local log = {}
local function l(x) log[#log + 1] = tostring(x) return x end
local t = {}
t[l("k")] = l("v")
local _ = l(1) + l(2) * l(3)
local _ = l("a") .. l("b") .. l("c")
print(l("x"), l("y"))
local s = table.concat(log, " ")
print(s)
