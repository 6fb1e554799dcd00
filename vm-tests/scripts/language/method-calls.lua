-- expect: 16
-- expect: 1	true	2
-- expect: xxx	5	3
-- expect: el	5	104
-- expect: 16	16
local Account = {}
Account.__index = Account
function Account.new(b) return setmetatable({ balance = b }, Account) end
function Account:deposit(v) self.balance = self.balance + v return self end
function Account:get() return self.balance end
local a = Account.new(10)
print(a:deposit(5):deposit(1):get())
local t = { a = { b = { c = {} } } }
function t.a.b.c.f(x) return x end
function t.a.b.c:g(x) return self == t.a.b.c, x end
print(t.a.b.c.f(1), t.a.b.c:g(2))
print(("x"):rep(3), ("%d"):format(5), #("abc"):upper())
local s = "hello"
print(s:sub(2, 3), s:len(), s:byte())
print(a.get(a), a["get"](a))
