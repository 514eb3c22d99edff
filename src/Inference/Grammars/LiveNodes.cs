namespace Herd.Inference.Grammars;

/// <summary>
/// The positions from which the end of their rule can be reached. Positions that cannot, such as a property whose
/// value allows nothing or has no end, are never entered, so every text that a grammar begins can be completed.
/// </summary>
internal static class LiveNodes
{
    /// <returns>For each position, true if a finite text leads from it to the end of its rule.</returns>
    public static bool[] Find(GrammarBuilder grammar)
    {
        var nodes = grammar.Nodes.ToArray();
        var before = new List<int>?[nodes.Length];
        var calls = new List<int>?[grammar.Values.Length];
        var open = new Stack<int>();
        for (var i = 0; i < nodes.Length; i++)
        {
            var node = nodes[i];
            if (node.Kind == GrammarNodeKind.End)
            {
                open.Push(i);
                continue;
            }

            (before[node.Next] ??= []).Add(i);
            if (node.Kind == GrammarNodeKind.Split)
            {
                (before[node.Other] ??= []).Add(i);
            }
            else if (node.Kind == GrammarNodeKind.Call)
            {
                (calls[node.Other] ??= []).Add(i);
            }
        }

        var valuesOf = ValuesOf(grammar);
        var live = new bool[nodes.Length];
        var liveValues = new bool[grammar.Values.Length];
        while (open.TryPop(out var at))
        {
            // A call needs both: a position behind it, and a value that can end. Whichever comes later adds it.
            var node = nodes[at];
            if (live[at] || (node.Kind == GrammarNodeKind.Call && !(live[node.Next] && liveValues[node.Other])))
            {
                continue;
            }

            live[at] = true;
            before[at]?.ForEach(open.Push);
            if (grammar.RuleOf[at] is var rule && grammar.Starts[rule] == at)
            {
                foreach (var value in valuesOf[rule].Where(value => !liveValues[value]))
                {
                    liveValues[value] = true;
                    calls[value]?.ForEach(open.Push);
                }
            }
        }

        return live;
    }

    /// <summary>The values that have each rule.</summary>
    public static int[][] ValuesOf(GrammarBuilder grammar)
    {
        var values = new List<int>[grammar.Starts.Length];
        for (var rule = 0; rule < values.Length; rule++)
        {
            values[rule] = [];
        }

        for (var value = 0; value < grammar.Values.Length; value++)
        {
            foreach (var rule in grammar.Values[value])
            {
                values[rule].Add(value);
            }
        }

        return [.. values.Select(list => list.ToArray())];
    }
}
