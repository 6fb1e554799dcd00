-- expect: false	compare-number-with-string.lua:2: attempt to compare number with string
print(pcall(function() return 1 < "2" end))
