using System.Text;
using System.Text.RegularExpressions;

namespace Herd.Kubernetes.Tests.Quickstart;

/// <summary>A command of a page.</summary>
/// <param name="Variables">The environment variables that stand before it.</param>
/// <param name="Words">The program and its arguments, without quotes.</param>
internal sealed partial record Command(IReadOnlyDictionary<string, string> Variables, IReadOnlyList<string> Words)
{
    /// <summary>The commands in the blocks of a page that are marked as bash.</summary>
    public static IReadOnlyList<Command> InBlocksOf(string page) =>
    [
        .. Blocks().Matches(page)
            .Select(block => block.Groups["lines"].Value.Replace("\\\n", " ", StringComparison.Ordinal))
            .SelectMany(lines => lines.Split('\n'))
            .Where(line => !string.IsNullOrWhiteSpace(line))
            .Select(line => line.Trim())
            .Select(Parse),
    ];

    /// <summary>The value of an option; null without it.</summary>
    public string? Option(string name) => Words.SkipWhile(word => word != name).Skip(1).FirstOrDefault();

    /// <summary>The arguments that are neither options nor their values.</summary>
    /// <param name="flags">The options without a value.</param>
    public IReadOnlyList<string> Arguments(params string[] flags)
    {
        var arguments = new List<string>();
        for (var i = 1; i < Words.Count; i++)
        {
            if (!Words[i].StartsWith('-'))
            {
                arguments.Add(Words[i]);
            }
            else if (!flags.Contains(Words[i]))
            {
                i++;
            }
        }

        return arguments;
    }

    public override string ToString() => string.Join(' ', Words);

    private static Command Parse(string line)
    {
        var words = Split(line);
        var variables = words.TakeWhile(word => Assignment().IsMatch(word)).ToList();
        return new Command(
            variables.Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]),
            [.. words.Skip(variables.Count)]);
    }

    private static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        char? quote = null;
        foreach (var c in line + ' ')
        {
            if (quote is null && c == ' ')
            {
                if (word.Length > 0)
                {
                    words.Add(word.ToString());
                }

                word.Clear();
            }
            else if (quote == c || (quote is null && c is '\'' or '"'))
            {
                quote = quote is null ? c : null;
            }
            else
            {
                word.Append(c);
            }
        }

        return words;
    }

    [GeneratedRegex(@"^[ ]*```bash\n(?<lines>.*?)^[ ]*```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Blocks();

    [GeneratedRegex("^[A-Z_]+=")]
    private static partial Regex Assignment();
}
