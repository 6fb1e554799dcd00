-- expect: false	compare-greater.lua:3: attempt to compare number with nil
local x
print(pcall(function() return x > 1 end))
