-- expect: 3	2	1
-- reference: no rawlen came after 5.1
print(rawlen({1, 2, 3}), rawlen("ab"), rawlen(setmetatable({1}, { __len = function() return 9 end })))
