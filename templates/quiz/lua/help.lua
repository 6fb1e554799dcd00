--- List the chat commands of this peer
--
-- Anyone can send you `!help` in the chat. Each file beside this one that has a `handle` function is a
-- command: its name without `.lua`, after a `!`.

function handle(args)
    local commands = goop.commands()  -- a list of names, sorted
    local lines = {"Available commands:"}
    for _, cmd in ipairs(commands) do
        table.insert(lines, "  !" .. cmd)
    end
    return table.concat(lines, "\n")
end
