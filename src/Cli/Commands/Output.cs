using Google.Protobuf;
using Google.Protobuf.Collections;
using Spectre.Console;

namespace Herd.Cli.Commands;

/// <summary>Prints messages, as tables for people or as JSON for programs.</summary>
internal static class Output
{
    private const int PipeWidth = 240;

    private static readonly JsonFormatter.Settings Json =
        JsonFormatter.Settings.Default.WithFormatDefaultValues(true).WithPreserveProtoFieldNames(true);

    private static readonly JsonFormatter OneLine = new(Json);
    private static readonly JsonFormatter Indented = new(Json.WithIndentation());

    /// <summary>Prints the message as one JSON object in one line.</summary>
    public static void WriteJson(IMessage message) => Console.WriteLine(OneLine.Format(message));

    public static void Write<T>(
        RepeatedField<T> items, bool json, params (string Title, Func<T, string> Value)[] columns)
        where T : IMessage<T>
    {
        if (json)
        {
            Console.WriteLine($"[{string.Join(",\n", items.Select(item => Indented.Format(item)))}]");
            return;
        }

        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = PipeWidth;
        }

        var table = new Table().Border(TableBorder.None);
        foreach (var (title, _) in columns)
        {
            table.AddColumn(new TableColumn(title).NoWrap());
        }

        foreach (var item in items)
        {
            table.AddRow([.. columns.Select(column => Markup.Escape(column.Value(item)))]);
        }

        AnsiConsole.Write(table);
    }
}
