namespace Herd.Inference.Grammars;

/// <summary>
/// Builds the positions of an object's rule: those before a property's name, and those behind its value. An optional
/// property is left out by going on before the next name.
/// </summary>
internal sealed class JsonObjectPositions(GrammarBuilder builder, JsonGrammar json, int next)
{
    private const int None = -1;

    /// <param name="properties">The properties, with the values of their names.</param>
    /// <param name="otherName">The value of the names of other properties.</param>
    /// <param name="others">The value of other properties; null for none.</param>
    /// <returns>The first position.</returns>
    public int Build(IReadOnlyList<(int Name, JsonProperty Property)> properties, int otherName, int? others)
    {
        var close = builder.Take(ByteSet.One((byte)'}'), next);
        var spacedClose = json.Space(close);
        var (beforeName, behindValue) = others is { } value
            ? Others(otherName, value, spacedClose)
            : (None, spacedClose);
        var mayClose = true;
        for (var i = properties.Count - 1; i >= 0; i--)
        {
            var (name, property) = properties[i];
            var pair = Pair(name, property.Value, behindValue);
            beforeName = property.IsRequired || beforeName == None ? pair : builder.Split(pair, beforeName);
            mayClose &= !property.IsRequired;
            behindValue = Comma(beforeName);
            behindValue = mayClose ? builder.Split(behindValue, spacedClose) : behindValue;
        }

        var first = beforeName == None ? close : mayClose ? builder.Split(beforeName, close) : beforeName;
        return builder.Take(ByteSet.One((byte)'{'), json.Space(first));
    }

    private (int BeforeName, int BehindValue) Others(int name, int value, int close)
    {
        // A loop: its beginning is known only when its end is built.
        var behindValue = close;
        var beforeName = None;
        builder.Repeat(loop =>
        {
            behindValue = loop;
            beforeName = Pair(name, value, loop);
            return Comma(beforeName);
        })(close);
        return (beforeName, behindValue);
    }

    private int Pair(int name, int value, int then) =>
        builder.Call(name)(json.Byte(':')(json.Space(builder.Call(value)(then))));

    private int Comma(int then) => json.Byte(',')(json.Space(then));
}
