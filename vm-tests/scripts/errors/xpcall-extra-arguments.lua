-- expect: true	1	2
-- reference: no 5.1 passes no arguments on; newer versions do
print(xpcall(function(...) return ... end, print, 1, 2))
