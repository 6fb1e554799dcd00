-- expect: false	add-table-and-number.lua:2: attempt to perform arithmetic on a table value
print(pcall(function() local v = 1 + {} return v end))
