-- expect: 1 2 3 5 8 9
-- expect: 9 8 5 3 2 1
-- expect:  C a b
-- expect: 0
-- expect: 1
-- expect: 1 2
-- expect: true
-- expect: 1	2	3
-- expect: 1.5 2 3
-- expect: 0
-- expect: 1 1 3 3 3
-- expect: false	bad argument #1 to 'sort' (table expected, got no value)
-- expect: false	bad argument #2 to 'sort' (function expected, got number)
local function show(t) return table.concat(t, " ") end
local t = {5, 2, 8, 1, 9, 3}
table.sort(t) print(show(t))
table.sort(t, function(a, b) return a > b end) print(show(t))
t = {"b", "a", "C", ""}
table.sort(t) print(show(t))
t = {} table.sort(t) print(#t)
t = {1} table.sort(t) print(show(t))
t = {2, 1} table.sort(t) print(show(t))
t = {}
for i = 1, 500 do t[i] = (i * 7919) % 503 end
table.sort(t)
local ok = true
for i = 2, 500 do if t[i - 1] > t[i] then ok = false end end
print(ok)
t = {{n = 2}, {n = 1}, {n = 3}}
table.sort(t, function(a, b) return a.n < b.n end)
print(t[1].n, t[2].n, t[3].n)
t = {3, 1.5, 2}
table.sort(t) print(show(t))
print(select("#", table.sort({})))
t = {3, 3, 3, 1, 1}
table.sort(t) print(show(t))
print(pcall(table.sort))
print(pcall(table.sort, {}, 5))
