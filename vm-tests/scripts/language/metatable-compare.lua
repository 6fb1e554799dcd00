-- expect: true	false	true	false	false
-- expect: 1	2	3
-- expect: true	false	true	true	true	true
-- expect: true	true	true	false	false
local mt = {}
mt.__lt = function(a, b) return a.v < b.v end
mt.__le = function(a, b) return a.v <= b.v end
local function V(v) return setmetatable({ v = v }, mt) end
print(V(1) < V(2), V(2) < V(1), V(1) <= V(1), V(1) > V(2), V(1) >= V(2))
local l = { V(3), V(1), V(2) }
table.sort(l)
print(l[1].v, l[2].v, l[3].v)
print("a" < "b", "a" < "B", "" < "a", "a\0b" < "a\0c", "Z" < "a", "10" < "9")
print(1 < 2.5, -1 < 0, 1 / 0 > 1e308, 0 / 0 == 0 / 0, 0 / 0 < 1)
