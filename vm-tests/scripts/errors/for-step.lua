-- expect: false	for-step.lua:2: 'for' step must be a number
print(pcall(function() for i = 1, 2, nil do end end))
