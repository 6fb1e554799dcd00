-- kind: limit
-- reference: no the reference lets a script catch this
local ok, message = pcall(unpack, {}, 1, 8001)
print("caught", ok, message)
