-- expect: true	true	true
-- reference: no the reference crashes or prints garbage for some of these
print((pcall(os.date, "!%Y", -1e15)) ~= nil, (pcall(os.date, "!%Y", 1e300)) ~= nil, (pcall(os.time, { year = 1e18, month = 1, day = 1 })) ~= nil)
