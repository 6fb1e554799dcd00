-- expect: false	named-call-nil-global.lua:2: attempt to call a nil value (global 'nosuchfunction')
print(pcall(function() nosuchfunction() end))
