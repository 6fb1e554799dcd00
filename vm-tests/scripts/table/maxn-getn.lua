-- expect: 0	3	10	0
-- expect: 3
-- expect: false	bad argument #1 to 'maxn' (table expected, got no value)
print(table.maxn({}), table.maxn({1, 2, 3}), table.maxn({[10] = 1, [2.5] = 2}), table.maxn({[-1] = 1}))
print(table.getn({1, 2, 3}))
print(pcall(table.maxn))
