-- expect: false	sort-comparator-errors.lua:5: stop
-- expect: true
-- expect: false
-- expect: 3
print(pcall(table.sort, {3, 2, 1}, function(a, b) error("stop") end))
print(pcall(table.sort, {3, 2, 1}, function(a, b) error({}) end) == false)
local t = {3, 2, 1}
print((pcall(table.sort, t, function(a, b) return a.x < b.x end)))
print(#t)
