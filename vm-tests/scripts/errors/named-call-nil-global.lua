-- expect: false	named-call-nil-global.lua:2: attempt to call global 'nosuchfunction' (a nil value)
print(pcall(function() nosuchfunction() end))
