using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Herd.Contracts.Errors;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Requests;

/// <summary>
/// Checks JSON of others before it is read: its syntax, its depth, that texts are valid Unicode, that an object has
/// each name once, and that values have the types of the fields. What passes cannot make a reader fail.
/// </summary>
internal ref struct JsonCheck
{
    /// <summary>The depth that readers and writers of JSON allow.</summary>
    private const int MaxDepth = 64;

    /// <summary>The depth of a text that is later written inside of another one.</summary>
    private const int MaxInnerDepth = 48;

    private readonly JsonPath _path = new();
    private readonly int _maxDepth;
    private Utf8JsonReader _reader;

    private JsonCheck(ReadOnlySpan<byte> json, int maxDepth)
    {
        // The reader's own limit lies behind the one that is checked here with the path.
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth + 1 });
        _maxDepth = maxDepth;
    }

    /// <summary>Checks a body.</summary>
    /// <param name="json">The body.</param>
    /// <param name="type">The type of the body; null if values of any type will do.</param>
    /// <param name="what">A name of the expected body, for errors.</param>
    /// <exception cref="HerdException">
    /// The body is invalid. The error has the path of the value at fault, what was expected and what was found.
    /// </exception>
    public static void Check(ReadOnlySpan<byte> json, JsonTypeInfo? type, string what) =>
        new JsonCheck(json, MaxDepth).Check(type, what);

    /// <summary>True if a text is that of a JSON object.</summary>
    public static bool IsObject(string json) => json.AsSpan().TrimStart().StartsWith('{') && IsValid(json);

    /// <summary>True if a text is JSON.</summary>
    public static bool IsValid(string json)
    {
        var check = new JsonCheck(Encoding.UTF8.GetBytes(json), MaxInnerDepth);
        try
        {
            check.Check(type: null, "a value");
            return true;
        }
        catch (HerdException)
        {
            return false;
        }
    }

    private void Check(JsonTypeInfo? type, string what)
    {
        try
        {
            _reader.Read();
            Value(type);
            _reader.Read();
        }
        catch (JsonException e)
        {
            throw Bad(
                $"The body is not the JSON of {what}, at {_path.Text ?? "$"} (line {e.LineNumber + 1}). "
                + "Send valid JSON in UTF-8.",
                _path.Text);
        }
    }

    private void Value(JsonTypeInfo? type)
    {
        if (type is not null && JsonKinds.Expected(type) is { } expected && !JsonKinds.Fits(ref _reader, type))
        {
            throw Error($"must be {expected}; found {JsonKinds.Describe(_reader.TokenType)}");
        }

        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                CheckDepth();
                Object(type);
                break;
            case JsonTokenType.StartArray:
                CheckDepth();
                Array(type);
                break;
            case JsonTokenType.String:
                CheckText();
                break;
        }
    }

    private void Object(JsonTypeInfo? type)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            CheckText();
            var name = _reader.GetString()!;
            _path.Enter(name);
            if (!names.Add(name))
            {
                throw Error("is there twice. Send it once");
            }

            _reader.Read();
            Value(MemberType(type, name));
            _path.Leave();
        }
    }

    private void Array(JsonTypeInfo? type)
    {
        var element = type?.ElementType is { } inner ? type.Options.GetTypeInfo(inner) : null;
        for (var i = 0; _reader.Read() && _reader.TokenType != JsonTokenType.EndArray; i++)
        {
            _path.Enter(i);
            Value(element);
            _path.Leave();
        }
    }

    private static JsonTypeInfo? MemberType(JsonTypeInfo? type, string name)
    {
        if (type is { Kind: JsonTypeInfoKind.Dictionary, ElementType: { } element })
        {
            return type.Options.GetTypeInfo(element);
        }

        foreach (var property in type?.Properties ?? [])
        {
            if (property.Name == name && !property.IsExtensionData)
            {
                return type!.Options.GetTypeInfo(property.PropertyType);
            }
        }

        return null;
    }

    private readonly void CheckDepth()
    {
        if (_reader.CurrentDepth >= _maxDepth)
        {
            throw Error($"is nested too deeply; at most {_maxDepth} levels are read");
        }
    }

    /// <summary>Checks the text or name at the reader: its bytes are UTF-8, and its escapes are pairs.</summary>
    private readonly void CheckText()
    {
        if (!Utf8.IsValid(_reader.ValueSpan))
        {
            throw Error("has bytes that are not UTF-8. Send UTF-8");
        }

        if (!_reader.ValueIsEscaped)
        {
            return;
        }

        var buffer = ArrayPool<char>.Shared.Rent(_reader.ValueSpan.Length);
        try
        {
            _reader.CopyString(buffer);
        }
        catch (InvalidOperationException)
        {
            throw Error("""has half of a surrogate pair, such as "\ud83d" alone. Send both halves""");
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }

    private readonly HerdException Error(string fault) => Bad($"'{_path.Text ?? "$"}' {fault}.", _path.Text);
}
