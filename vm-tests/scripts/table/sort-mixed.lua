-- expect: false	attempt to compare string with number
-- expect: false	attempt to compare two table values
-- expect: false
print(pcall(table.sort, {1, "a"}))
print(pcall(table.sort, {{}, {}}))
print((pcall(table.sort, {1, nil, 3})))
