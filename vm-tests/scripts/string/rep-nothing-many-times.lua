-- expect: 0
print(#(""):rep(1e9))
