-- expect: true
-- expect: false	too many captures
print((pcall(string.find, "a", ("()"):rep(32))))
print(pcall(string.find, "a", ("()"):rep(33)))
