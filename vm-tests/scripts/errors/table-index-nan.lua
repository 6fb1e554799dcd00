-- expect: false	table-index-nan.lua:2: table index is NaN
print(pcall(function() local t = {} t[0 / 0] = 1 end))
