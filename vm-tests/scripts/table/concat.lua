-- expect: 	123	1, 2, 3
-- expect: 2-3-4	2-3	
-- expect: a12.5	102
-- expect: false	invalid value (table) at index 2 in table for 'concat'
-- expect: false	invalid value (nil) at index 2 in table for 'concat'
-- expect: false	bad argument #1 to 'concat' (table expected, got nil)
-- expect: false	bad argument #2 to 'concat' (string expected, got table)
-- expect: false	invalid value (boolean) at index 1 in table for 'concat'
print(table.concat({}), table.concat({1, 2, 3}), table.concat({1, 2, 3}, ", "))
print(table.concat({1, 2, 3, 4}, "-", 2), table.concat({1, 2, 3, 4}, "-", 2, 3), table.concat({1}, "-", 2))
print(table.concat({"a", 1, 2.5}, ""), table.concat({1, 2}, 0))
print(pcall(table.concat, {1, {}, 3}))
print(pcall(table.concat, {1, nil, 3}, ",", 1, 3))
print(pcall(table.concat, nil))
print(pcall(table.concat, {}, {}))
print(pcall(table.concat, {true}))
