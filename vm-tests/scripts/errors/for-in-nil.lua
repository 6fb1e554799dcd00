-- expect: false	for-in-nil.lua:2: attempt to call a nil value
print(pcall(function() for k in nil do end end))
