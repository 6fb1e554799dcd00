-- kind: limit
-- reference: no the reference makes the string
local s = ("x"):rep(3 * 1024 * 1024)
print((xpcall(function() local t = s .. s return #t end, function(m) print("handler", m) return m end)))
