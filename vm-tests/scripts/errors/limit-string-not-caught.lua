-- expect: before
-- kind: limit
-- reference: no the reference makes the string
print("before")
local ok, message = pcall(string.rep, "x", 5 * 1024 * 1024)
print("caught", ok, message)
