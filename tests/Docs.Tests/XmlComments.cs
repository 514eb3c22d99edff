using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Herd.Docs.Tests;

/// <summary>The XML comments of an assembly, from the file that the compiler writes beside it.</summary>
internal sealed partial class XmlComments(string assembly)
{
    private readonly Dictionary<string, XElement> _members = XDocument
        .Load(Path.Combine(AppContext.BaseDirectory, assembly + ".xml"))
        .Descendants("member")
        .ToDictionary(member => member.Attribute("name")!.Value);

    /// <summary>The summary of a type or property as one line of Markdown.</summary>
    /// <param name="name">Its name as the compiler writes it, such as "P:Herd.Grains.Nodes.NodeOptions.Slots".</param>
    /// <exception cref="KeyNotFoundException">It has no comment.</exception>
    public string Summary(string name) => Line(_members[name].Element("summary")!);

    /// <summary>The comment of a parameter of a type's primary constructor.</summary>
    public string Parameter(string type, string parameter) => Line(
        _members[$"T:{type}"].Elements("param").Single(found => found.Attribute("name")!.Value == parameter));

    private static string Line(XElement element) =>
        Spaces().Replace(string.Concat(element.Nodes().Select(Text)), " ").Trim();

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement other => string.Concat(other.Nodes().Select(Text)),
        _ => "",
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
