using System.Text.RegularExpressions;

namespace Herd.Docs.Tests;

/// <summary>Identifiers that were replaced by the field's terms do not come back.</summary>
public sealed partial class IdentifierTests
{
    private static readonly string[] Banned =
    [
        "LeaveSignal", "Handover", "Settle", "TurnStream", "TurnIntake", "TurnReading", "LateSave", "AnswerTail",
        "KvTravel",
        "CanMakeWay", "MakesWay", "MadeWay", "TryMakeWay", "Displaced", "Stint", "Luck", "Guess", "NodeOutlook",
        "Crowding",
        "Doubt", "KvClaim", "SessionBeginnings", "Standing", "Surprise", "TokenChance", "Chances", "TurnRunner",
        "SessionMove", "TurnPlacement", "ParkedSessions", "ParkedSession", "SentWork", "Forecasts", "PlaceOf",
        "KvBeginning",
        "SharedLoop", "ConversationKind", "Expulsion", "BringsKv", "NoteLoad", "NoteChange", "NoteSize", "NoteFirst",
        "NoteEmpty",
    ];

    /// <summary>Names of fields of the public proto, which stay.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["ProtoMappingTests.cs"] = ["Chances", "Crowding", "Doubt"],
        ["ProtoMapping.cs"] = ["Chances", "Crowding", "Doubt", "TokenChance"],
    };

    public static TheoryData<string> Folders => ["src", "bench", "tests"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Sources_OfTheFolder_UseTheFieldsTerms(string folder)
    {
        var found =
            from file in Directory.EnumerateFiles(Path.Combine(Root(), folder), "*.cs", SearchOption.AllDirectories)
            where !file.EndsWith("IdentifierTests.cs", StringComparison.Ordinal)
            let allowed = Allowed.GetValueOrDefault(Path.GetFileName(file)) ?? []
            from line in File.ReadLines(file).Select((text, i) => (Text: Strip(text), Number: i + 1))
            from name in Banned.Except(allowed)
            where Regex.IsMatch(line.Text, $@"\b{name}\b")
            select $"{Path.GetRelativePath(Root(), file)}:{line.Number}: {name}";

        Assert.Empty(found);
    }

    /// <summary>Leaves out texts, such as aliases of grain messages and old names of options.</summary>
    private static string Strip(string line) => Kept().Replace(line, "");

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Kept();

    private static string Root() => Testing.Repository.Root;
}
