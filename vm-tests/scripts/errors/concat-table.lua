-- expect: false	concat-table.lua:2: attempt to concatenate a table value
print(pcall(function() local s = {} .. "x" return s end))
