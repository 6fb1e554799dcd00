-- expect: 1	2	3
-- expect: 2	2	3
-- expect: nil	nil	nil
-- expect: 1	nil	3
-- expect:
-- expect: false	bad argument #1 to 'unpack' (table expected, got no value)
-- expect: false	bad argument #1 to 'unpack' (table expected, got number)
-- expect: 100
-- expect: nil	nil	10
print(unpack({1, 2, 3}))
print(unpack({1, 2, 3}, 2), unpack({1, 2, 3}, 2, 3))
print(unpack({}, 1, 3))
print(unpack({1, nil, 3}, 1, 3))
print(unpack({1, 2}, 3))
print(pcall(unpack))
print(pcall(unpack, 5))
print(select("#", unpack({}, 1, 100)))
print(unpack({10, 20, 30}, -1, 1))
