using System.Text.RegularExpressions;
using Herd.Testing;

namespace Herd.Docs.Tests;

/// <summary>Names that were replaced by the field's terms do not come back.</summary>
public sealed partial class IdentifierTests
{
    private static readonly string[] Banned =
    [
        "LeaveSignal", "Handover", "Settled?", "IsSettled", "TurnStream", "TurnIntake", "TurnReading", "LateSave",
        "AnswerTail", "KvTravel", "CanMakeWay", "MakesWay", "MadeWay", "TryMakeWay", "Stint",
        "Luck", "Guess", "NodeOutlook", "Crowding", "Doubt", "KvClaim", "SessionBeginnings", "Standing", "Surprise",
        "TokenChance", "Chances", "TurnRunner", "SessionMove", "TurnPlacement", "Park(ed\\w*)?", "SentWork",
        "Forecasts", "PlaceOf", "KvBeginning", "SharedLoop", "ConversationKind", "Expulsion", "BringsKv", "ClusterView",
        "Foreseen", "Recall", "KvMove", "EnterMove", "IsMoving", "TryMove", "Movers?", "NotMoved", "MovedPerSecond",
        "HoldsSince", "IsHeld", "TurnRules", "[Dd]isplaced", "[Pp]atience",
        "SnapshotWriter", "SnapshotReader", "Forecast", "FetchReplay", "ReleaseOnDispose",

        // Methods without a verb, and limits that are no Max or Min.
        "Note\\w*(?=\\()", "Of(?=[<(])", "Most[A-Z]\\w*", "Least(?!Loaded|Valuable)[A-Z]\\w*",
    ];

    /// <summary>Any of them: few lines have one, and then each name is looked for.</summary>
    private static readonly Regex AnyBanned = new($@"\b({string.Join('|', Banned)})\b", RegexOptions.Compiled);

    /// <summary>Names of the public proto, which stay.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["ProtoMappingTests.cs"] = ["Chances", "Crowding", "Doubt", "Forecast"],
        ["ProtoMapping.cs"] = ["Chances", "Crowding", "Doubt", "Forecast", "KvMove", "TokenChance"],
        ["WhyCommand.cs"] = ["Forecast"],
    };

    private static readonly string[] Texts = [".cs", ".md", ".yaml", ".json", ".sh", ".proto", ".mjs"];

    public static TheoryData<string> CodeFolders => ["src", "bench", "tests"];

    public static TheoryData<string> TextFolders => ["src", "bench", "tests", "docs", "k8s"];

    [Theory]
    [MemberData(nameof(CodeFolders))]
    public void Sources_OfTheFolder_UseTheFieldsTerms(string folder) => Assert.Empty(
        from file in Files(folder)
        where file.EndsWith(".cs", StringComparison.Ordinal)
        let allowed = Allowed.GetValueOrDefault(Path.GetFileName(file)) ?? []
        from line in File.ReadLines(file).Select((text, i) => (Text: Quoted().Replace(text, ""), Number: i + 1))
        where AnyBanned.IsMatch(line.Text)
        from name in Banned.Except(allowed)
        where Regex.IsMatch(line.Text, $@"\b{name}\b")
        select $"{Path.GetRelativePath(Repository.Root, file)}:{line.Number}: {name}");

    /// <summary>Comments, messages and pages name a prediction, a quantum and an attack surface so.</summary>
    [Theory]
    [MemberData(nameof(TextFolders))]
    public void Texts_OfTheFolder_UseTheFieldsTerms(string folder) => Assert.Empty(
        from file in Files(folder)
        from line in File.ReadLines(file).Select((text, i) => (Text: text, Number: i + 1))
        where Riddles().IsMatch(line.Text)
        select $"{Path.GetRelativePath(Repository.Root, file)}:{line.Number}: {line.Text.Trim()}");

    private static IEnumerable<string> Files(string folder) => Directory
        .EnumerateFiles(Path.Combine(Repository.Root, folder), "*", SearchOption.AllDirectories)
        .Where(file => Texts.Contains(Path.GetExtension(file)))
        .Where(file => !file.Contains("node_modules", StringComparison.Ordinal))
        .Where(file => Path.GetFileName(file) != "IdentifierTests.cs");

    /// <summary>Texts in quotes, such as aliases of grain messages and old names of options.</summary>
    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\b(foreseen|stints?|handovers?|the doors?|outlook)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Riddles();
}
