-- expect: false	compare-two-tables.lua:2: attempt to compare two table values
print(pcall(function() local v = {} < {} return v end))
