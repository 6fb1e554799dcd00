-- expect: false	compare-number-with-string.lua:2: attempt to compare number with string
print(pcall(function() local v = 1 < "2" return v end))
