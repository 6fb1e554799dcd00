-- expect: 1
-- expect: true
print(pcall(print, setmetatable({}, { __tostring = function() return 1 end })))
