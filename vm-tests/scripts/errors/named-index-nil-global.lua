-- expect: false	named-index-nil-global.lua:2: attempt to index global 'nosuch' (a nil value)
print(pcall(function() return nosuch.field end))
