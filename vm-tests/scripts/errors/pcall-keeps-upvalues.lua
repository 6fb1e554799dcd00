-- expect: 5	2	3
local n, get = 0, nil
pcall(function()
  local x = 1
  get = function() x = x + 1 return x end
  n = 5
  error("x")
end)
print(n, get(), get())
