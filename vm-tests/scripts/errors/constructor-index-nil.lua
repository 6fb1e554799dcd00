-- expect: false	constructor-index-nil.lua:2: table index is nil
print(pcall(function() return { [nil] = 1 } end))
