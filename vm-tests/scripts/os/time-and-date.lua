-- expect: number	number	true
-- expect: 1970-01-01 00:00:00
-- expect: 2001-09-09
-- expect: Sunday February 15 046 AM 70 Sun Feb 12 00 %
-- expect: 2009	2	13	23	31	30	6	44	false
-- expect: Thu Jan  1 00:00:00 1970
-- expect: 01/01/70 00:00:00
-- expect: false	field 'day' missing in date table
-- expect: false	field 'day' missing in date table
-- expect: 0
-- expect: 86400
-- expect: true
-- expect: 19	number	string
print(type(os.time()), type(os.clock()), os.clock() >= 0)
print(os.date("!%Y-%m-%d %H:%M:%S", 0))
print(os.date("!%Y-%m-%d", 1e9))
print(os.date("!%A %B %d %j %p %y %a %b %I %M %%", 86400 * 45))
local t = os.date("!*t", 1234567890)
print(t.year, t.month, t.day, t.hour, t.min, t.sec, t.wday, t.yday, t.isdst)
print(os.date("!%c", 0))
print(os.date("!%x %X", 0))
print(pcall(os.time, {}))
print(pcall(os.time, { year = 2000 }))
print(os.time({ year = 2000, month = 1, day = 1, hour = 12 }) - os.time({ year = 2000, month = 1, day = 1 }))
print(os.time({ year = 2024, month = 3, day = 1, hour = 0 }) - os.time({ year = 2024, month = 2, day = 29, hour = 0 }))
print(os.time({ year = 2024, month = 14, day = 1 }) == os.time({ year = 2025, month = 2, day = 1 }))
print(#os.date("%Y-%m-%d %H:%M:%S"), type(os.date("*t").year), type(os.date()))
