-- expect: a,b,c
-- expect: first,a,b,c	first	c	a,b
-- expect: nil	nil	2
-- expect: 2	far
-- expect: false	wrong number of arguments to 'insert'
-- expect: false	bad argument #1 to 'insert' (table expected, got nil)
-- expect: false	wrong number of arguments to 'insert'
-- expect: false	bad argument #2 to 'insert' (number expected, got string)
-- expect: false	bad argument #1 to 'remove' (table expected, got nil)
-- expect: true
-- expect: 2	1	3	nil
-- expect: 0	0
local t = {}
table.insert(t, "a") table.insert(t, "c") table.insert(t, 2, "b")
print(table.concat(t, ","))
table.insert(t, 1, "first")
print(table.concat(t, ","), table.remove(t, 1), table.remove(t), table.concat(t, ","))
print(table.remove({}), table.remove(t, 5), #t)
table.insert(t, 5, "far")
print(#t, t[5])
print(pcall(table.insert, {}))
print(pcall(table.insert, nil, 1))
print(pcall(table.insert, {}, 1, 2, 3))
print(pcall(table.insert, {}, "x", 2))
print(pcall(table.remove, nil))
print((pcall(table.insert, {1}, nil)))
local q = {1, 2, 3}
print(table.remove(q, 2), q[1], q[2], q[3])
print(select("#", table.remove({})), select("#", table.insert({}, 1)))
