-- expect: false	named-index-nil-global.lua:2: attempt to index a nil value (global 'nosuch')
print(pcall(function() return nosuch.field end))
