-- expect: false	compare-greater.lua:3: attempt to compare number with nil
local x
print(pcall(function() local v = x > 1 return v end))
