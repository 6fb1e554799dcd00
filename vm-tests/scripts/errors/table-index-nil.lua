-- expect: false	table-index-nil.lua:2: table index is nil
print(pcall(function() local t = {} t[nil] = 1 end))
