-- expect: false	compare-number-with-nil.lua:3: attempt to compare number with nil
local x
print(pcall(function() local v = 1 < x return v end))
