(* SPDX-License-Identifier: GPL-2.0-or-later *)
(* program COUNT FILE: as program.py. *)

let kept = ref Bigarray.(Array1.create char c_layout 1)
let account = Buffer.create 100000
let state = ref 7

let chance limit =
  state := ((!state * 1103515245) + 12345) land 0x7fffffff;
  (!state lsr 8) mod limit

let find_deep name =
  let parts = String.split_on_char '.' name in
  List.find_opt (fun part -> String.length part > 5 && String.sub part 0 5 = "deep_") (List.rev parts)

let functions () =
  match Printexc.backtrace_slots (Printexc.get_callstack 1000) with
  | None -> []
  | Some slots -> List.filter_map (fun slot -> Option.bind (Printexc.Slot.name slot) find_deep) (Array.to_list slots)

(* Nothing is the last call of its function, so that all of them have frames. *)
let after size = ignore (Sys.opaque_identity size)

let[@inline never] deep_leaf size =
  kept := Bigarray.(Array1.create char c_layout size);
  Buffer.add_string account (Printf.sprintf "%d %s\n" size (String.concat ";" (functions ())))

exception Passed

let rec deep_step depth size =
  (if depth = 0 then deep_leaf size
   else match chance 4 with
     | 0 -> deep_plain (depth - 1) size
     | 1 -> deep_listed (depth - 1) size
     | 2 -> deep_tried (depth - 1) size
     | _ -> deep_closed (depth - 1) size);
  after size

and[@inline never] deep_plain depth size = deep_step depth size; after size

and[@inline never] deep_listed depth size =
  let[@inline never] deep_each depth = deep_step depth size; after depth in
  List.iter deep_each [depth];
  after size

and[@inline never] deep_tried depth size =
  try deep_step depth size; raise Passed with Passed -> after size

and[@inline never] deep_closed depth size =
  let[@inline never] deep_closure depth = deep_step depth size; after depth in
  (Sys.opaque_identity deep_closure) depth;
  after size

let () =
  for number = 0 to int_of_string Sys.argv.(1) - 1 do
    deep_step (chance 6) (100001 + (16 * number))
  done;
  let file = open_out Sys.argv.(2) in
  Buffer.output_buffer file account;
  close_out file
